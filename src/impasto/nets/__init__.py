"""The networks: pictures in, feature maps out. Nothing here opens a file."""
