"""Loggers. What they are given goes to the log of the conversion."""

import logging


def get_logger(name=None):
    return logging.getLogger(name)


def enable_debug_logging(*_given, **_also):
    logging.getLogger().setLevel(logging.DEBUG)


def configure_logging(level="INFO", *_given, **_also):
    logging.getLogger().setLevel(level.upper() if isinstance(level, str) else level)
