"""Operators' commands: sub-commands of `presswork`, which import what they need when they run."""
