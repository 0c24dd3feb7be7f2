"""Moving from the old system: what its database says, copied into the tables of the services that own such things.

`command` is `presswork import-legacy`; `run` has the order: people, products, mockups, designs, which share a `Move`
(`move`) and its `report`. What there is: the database is `source`, photographs are `files`. What it is here: rows go by
`fitting`, paths by `paths`.
"""
