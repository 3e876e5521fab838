"""How a waiting customer is followed up (section 4). Pure: what was done in the wait goes in, what is due comes out.

`pending_client_action` is F2, `three_contacts` F3 and F4, `absences` F5; `plans` chooses among them and looks ahead.
"""
