"""The commands of this project (`script/server`, `script/test`, ...) and, in `support/`, what they share."""
