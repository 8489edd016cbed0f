"""Reading and writing films: frames, sound, optical flow."""
