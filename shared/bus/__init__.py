"""The bus: from a delivered message to the handler and back. One loop body, two transports."""
