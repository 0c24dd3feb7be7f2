"""Listens to ImageAccepted, DuplicateFound, ImageRejected, ImageFailed, MockupsRendered, StoreFile, WorkCancelled, \
ShopScanRequested, PictureHashed.

Emits DesignStored, StorageFailed, ImageAccepted, PictureFound, PicturesGone, ShopScanRequested. Owns schema storage.

The states of a design (`designs.state`), and what moves it from one to the next:

      ImageAccepted
            |
            v    its file lies on        every earlier file of     its file has its name,
            |    the NAS, hidden         its upload is over        and was read back
        accepted ---------------> placed ---------------> numbered ---------------> stored
            |                       |                        |
            |  DuplicateFound, ImageRejected,                |  the NAS refuses the name for good:
            |  ImageFailed, WorkCancelled                    |  the number is free for another
            v                       v                        v
        duplicate, rejected or failed                      failed

"Over" is every state but `accepted`, and nobody waits for what is tried again, either. The first message about an item
may be one of those that lead down: then it begins in the lower row. A later generation (the file is tried again) begins
at `accepted`, wherever the item was; only one that is numbered or stored, and has the same print file, stays so. That
is `Acceptance`; what it means that a message gives the item up, `GivingUp` says. It moves nothing that has a number.

  state                 written by                          what is told of it, and by whom
  accepted, placed      its ImageAccepted (Designs.accept,  nothing
                        turns.begin)
  numbered              the last message that it waited     nothing; if the turn was too short for the rename, its
                        for (Numbers.give)                  ImageAccepted once more
  stored                who answers for it                  DesignStored, by who answers for it
                        (Designs.stored)
  duplicate, rejected   the message that gives it up        nothing; but StorageFailed by that message, if it was
                        (Designs.settle)                    accepted and is rejected now
  failed                the message that gives it up, or    StorageFailed, by who answers for it; if it was never
                        who found that the NAS refuses it   accepted, by the ImageFailed or WorkCancelled itself
                        (Designs.fail, Numbers.take_back)

The house's turns of phrase, each with an example; "1" is the first file of an upload:

- A message *answers for* a design: its handler tells what becomes of it, each time it is delivered; the columns
  `cause_*` name it. Example: 3 lies on the NAS and waits for 2. The message about 2 places 2 and numbers both, so it
  answers for both: it yields DesignStored for 2 and 3, and would again if it died before its ack.
- A message *takes over* what an earlier one about its item answered for and may not have told (`Designs.adopt`).
  Example: the message about 2 dies after it has numbered 3. 2 is tried again, and its new message tells of 3.
- Dedup *hears the end* of what it accepted: it keeps the picture's claim until it has DesignStored or StorageFailed.
  Example: 4 is cancelled before it is placed. StorageFailed tells dedup so, and 6, a copy of 4, is stored in its place.
- A later copy *made way* for an earlier one. Example: 1 and 5 are copies; 5 is hashed sooner, and accepted. When 1
  comes, dedup takes 5's claim away and names 5 in 1's ImageAccepted (`instead_of`), so 5 is given up before 1 is
  accepted. 5 has no number by then, as it waits for 1.
- What may not have been heard, or was begun and not ended, is *told once more*. Examples: 7 is cancelled by somebody
  who has not heard that it is stored; the WorkCancelled is answered with DesignStored. A thousand files wait for 2;
  its message renames files for a minute and yields the ImageAccepted of each one left, which then goes on by its own.

Why numbers are given so late: docs/decisions/0004-numbers.md.

What is in it:

handlers        a function for each message
filing          a design's way: its file to the NAS, its number, its name; what fails on that way
placing         how files and folders are called
design          a design and its states; design_rows: its columns; acceptance, giving_up: what a message means for them
store           the rows of designs, each call a transaction
turns           many messages of an upload that get numbers in one transaction
allotment       the numbers; queueing: the rows that may be due; numbering: which of them are
scanning        the search of shops' folders for pictures; comparing: what is new there; scan_rows: what was met
scan_progress   how far that has come, for people
stored_files    what should lie on the NAS, for those who compare
shops           which shop has a NAS, and a queue, of its own

To follow one file, read `handlers.on_image_accepted` and `filing.Filing`: `place`, then `advance`.
"""
