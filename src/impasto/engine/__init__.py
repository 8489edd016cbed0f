"""The engine: from a plan and pictures to a stream of states. Opens, prints and saves nothing."""
