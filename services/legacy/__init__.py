"""Moving from the old system: what its database says, copied into the tables of the services that own such things."""
