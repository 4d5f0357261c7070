"""Pages on which managers close the clinic, a site, a person, a room or a device, and choose public holidays."""
