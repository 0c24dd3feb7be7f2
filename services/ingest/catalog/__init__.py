"""What users set up before they upload: accounts, product templates, print sizes, mockup photographs and masks."""
