package dev.vauban.cli.job;

import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/**
 * Which model a result belongs to.
 *
 * @param method the meta-learner's name
 * @param run the path of its run or of its weights; null for a model that was never saved
 */
public record ModelName(String method, String run) {

  /**
   * What to call models beside each other: by the method alone where it has one run, and with the
   * run where it has several, so that no two models share a label.
   */
  public static Map<ModelName, String> labels(Collection<ModelName> models) {
    Map<String, Set<String>> runs = new LinkedHashMap<>();
    for (ModelName model : models) {
      if (model.run != null) {
        runs.computeIfAbsent(model.method, m -> new LinkedHashSet<>()).add(model.run);
      }
    }
    Map<ModelName, String> labels = new LinkedHashMap<>();
    for (ModelName model : models) {
      Set<String> all = runs.getOrDefault(model.method, Set.of());
      labels.put(
          model,
          model.run == null || all.size() < 2
              ? model.method
              : model.method + " (" + shortest(all).get(model.run) + ")");
    }
    return labels;
  }

  /** The ends of these paths, with as many folders as it takes to tell them apart. */
  public static Map<String, String> shortest(Collection<String> paths) {
    Map<String, String> names = new LinkedHashMap<>();
    int most = 1;
    for (int folders = 1; folders <= most; folders++) {
      for (String path : paths) {
        Path whole = Path.of(path).toAbsolutePath().normalize();
        int parts = whole.getNameCount();
        most = Math.max(most, parts);
        names.put(
            path,
            folders >= parts ? whole.toString() : whole.subpath(parts - folders, parts).toString());
      }
      if (new HashSet<>(names.values()).size() == names.size()) {
        break;
      }
    }
    return names;
  }
}
