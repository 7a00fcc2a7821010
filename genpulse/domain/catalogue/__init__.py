"""What is known of a model beside what it takes: its price, its limits, and how long there will be one."""
