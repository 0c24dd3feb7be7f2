"""One folder per service. Services never import each other.

The words that all of them use. Some things have two names, as the frontend, the messages and people say different ones.

tenant       an account, by its user's id: everything belongs to one, and none sees another's. Its person is the seller
session      an upload: the files that were sent together, in order
item         one file of a session, at its `index` there. Stored on the NAS it is a design, under the same id
generation   which try of an item or a listing: grows when it is tried, or decided about, anew. What comes of an earlier
             one is late, and changes nothing
print        the PNG at print size that the hasher makes of an item; `print_file` in messages
picture      what is to be seen in a file. Dedup compares the canonical picture, which is small and square
copy         a file with a known picture: of the same bytes, or nearly the same to look at. A variant is none
verdict      what dedup decided about a picture: accepted, or a duplicate of another
claim        an accepted picture holds it until it is stored (then it is known) or given up; copies are turned away
shop         the tenant's folder on the NAS; for the publisher, where listings go (`services/publisher/shop.py`)
template     what the listings of one product share; a mockup template says where on a photograph the design goes
mockup       a group of photographs that the seller has set up (`mockup_id`), and each product picture made with it
listing      a design offered in a shop with the pictures of one mockup group
lane         the way an upload takes: over the broker (comprehensive), or inside ingest (original)
owed         a message that ingest has committed to its outbox and not yet sent
letter       a dead letter: a message that a service gave up, kept with its cause until it is replayed or discarded
"""
