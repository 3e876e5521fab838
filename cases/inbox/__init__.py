"""Incoming mail: taken in through one function (`receive`), whatever door it came by; matched with a case, proven, and
acted on or left in triage for a person (M5 to M7). `cases.mail.incoming` reads the raw bytes.
"""
