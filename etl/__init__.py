"""Inside the body: extract timelines, anonymise them, write releases. The public side is the package `portal`."""
