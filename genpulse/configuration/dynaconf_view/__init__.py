"""The settings as a Dynaconf object, for programs that read them so."""
