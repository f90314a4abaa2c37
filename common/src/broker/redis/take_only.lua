return take(read_wish())
