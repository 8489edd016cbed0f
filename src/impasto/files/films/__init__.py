"""Films in and out: frames, sound, optical flow."""
