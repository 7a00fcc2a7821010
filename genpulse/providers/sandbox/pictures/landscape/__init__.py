"""The painters of landscapes: sky, land, water, plants, cities and weather."""
