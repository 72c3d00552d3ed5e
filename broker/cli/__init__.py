"""The command line `broker`: one file a command or group. Heavy parts are imported when a command runs."""
