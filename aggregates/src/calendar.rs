//! Calendar: windows and due instants in a programme's time zone.
