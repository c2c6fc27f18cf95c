"""The classes that converter files import, without the client around them.

This package stands in for the one of the same name where that is not installed. It has what a converter needs and
nothing else: no service, no window, no connection to a server. The appliance does that work itself.
"""

__version__ = "0.6.0"
