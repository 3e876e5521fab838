"""The doors: how messages come to `cases.inbox.receive` (M5).

Every door keeps a message until `receive` has returned, and hands it over again if it dies in between; the inbox knows
a message that it has. So no door needs to know what another worker, or another door, has taken.

* `maildir` and `imap` are looked into by `fetching`, which beat starts; `rounds` is one look by one worker, and
  `access_tokens` is for mailboxes that take no password.
* `manage.py receive_mail` takes one message on its standard input.
"""
