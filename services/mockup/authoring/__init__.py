"""For who makes mockup templates (`presswork mockup`): a template in a folder, drawn, checked, or made from a PSD."""
