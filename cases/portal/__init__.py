"""The customers' support page (section 9): signing in; what a customer sees and does there."""
