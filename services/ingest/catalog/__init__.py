"""What users set up before they upload: accounts, product templates, print sizes, mockup photographs and masks.

fields, records, errors             what clients may send, and get (`mockup_records`, too); how the catalog refuses
users, folders                      accounts, and which folder on the NAS is whose
passwords, tokens, limits, links    logging in: how it is proved and kept, how often it may be tried; links without it
templates, print_sizes, printing    product templates; canvases and sizes; which of these a design is printed with
pictures, looking, picture_names    pictures that are sent: kept, once a child process has decoded them; their names
mockups, photographs, masks         mockup groups, their photographs, where designs go on these
mockup_templates                    the same as a file that a photograph is given
choices                             what uploads and listings take of all this, as values for messages
duplicates                          what an account's uploads do with duplicates
shop                                the account's connection to the shop that listings go to
"""
