package dev.vauban.cli.report;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.Failure;
import dev.vauban.cli.job.Evaluation.Neuron;
import dev.vauban.cli.run.AtomicFile;
import dev.vauban.cli.terminal.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A folder of inverted features: for each {@code 01-input.png} and {@code 01-change.png}, and a
 * line in {@code neurons.json}.
 */
final class Neurons {
  private static final String INDEX = "neurons.json";

  private Neurons() {}

  /**
   * What {@code neurons.json} says about one feature.
   *
   * @param lowShare the share of the change's energy at low frequencies
   */
  public record Entry(String model, String name, int neuron, double lowShare) {}

  /**
   * An inverted feature, ready to be shown.
   *
   * @param input PNG
   * @param change PNG of one minus the change, so that what was added is dark
   */
  record Shown(Entry entry, byte[] input, byte[] change) {
    Shown of(String model) {
      return new Shown(
          new Entry(model, entry.name(), entry.neuron(), entry.lowShare()), input, change);
    }
  }

  static void write(Path folder, List<Neuron> neurons) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw Failure.writing(folder, e);
    }
    List<Entry> index = new ArrayList<>();
    for (Neuron n : neurons) {
      String name = String.format(Locale.ROOT, "%02d", index.size() + 1);
      float[] dark = new float[n.change().length];
      for (int i = 0; i < dark.length; i++) {
        dark[i] = 1 - n.change()[i];
      }
      png(folder.resolve(name + "-input.png"), n.image(), n);
      png(folder.resolve(name + "-change.png"), dark, n);
      index.add(new Entry(n.model(), name, n.neuron(), n.lowShare()));
    }
    AtomicFile.write(folder.resolve(INDEX), Json.pretty(index) + "\n");
  }

  private static void png(Path file, float[] pixels, Neuron n) {
    byte[] bytes = Png.encode(pixels, n.height(), n.width(), n.channels());
    AtomicFile.write(file, temporary -> Files.write(temporary, bytes));
  }

  /** The features in {@code folder}; none if there is no such folder. */
  static List<Shown> read(Path folder) {
    Path index = folder.resolve(INDEX);
    if (!Files.exists(index)) {
      return List.of();
    }
    try {
      List<Shown> shown = new ArrayList<>();
      for (Entry e : Json.read(index, Entry[].class, "neurons")) {
        shown.add(
            new Shown(
                e,
                Files.readAllBytes(folder.resolve(e.name() + "-input.png")),
                Files.readAllBytes(folder.resolve(e.name() + "-change.png"))));
      }
      return shown;
    } catch (IOException e) {
      throw CommandException.badInput(
          "cannot read the images in " + folder + ": " + Failure.reason(e), e);
    }
  }
}
