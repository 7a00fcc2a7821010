"""The documentation as a site: pages of docs/, and pages made from the code."""
