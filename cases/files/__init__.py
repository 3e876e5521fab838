"""Files that come with contacts and notes (C3): what is taken in, where it is kept, how it is given out."""
