"""Numbers -> pictures: for each one a function that gathers the data and one that draws it."""
