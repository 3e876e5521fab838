"""Plans for following up while the customer owes an answer (section 4). Pure: what happened in, what is due out.

`pending` is F2, `three_contacts` F3 and F4, `absences` F5; `plans` picks among them and asks what is to come.
"""
