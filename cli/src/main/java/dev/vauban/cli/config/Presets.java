package dev.vauban.cli.config;

import java.util.Map;

/**
 * A command whose defaults depend on its other values (the inner rate on the data set, say). Asked
 * after a first parse; what it answers ranks below everything the user wrote.
 */
public interface Presets {
  /** Option names without dashes, their values, and in {@code source} why. */
  Map<String, Settings.Value> presets();
}
