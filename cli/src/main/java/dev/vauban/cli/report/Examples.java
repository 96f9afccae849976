package dev.vauban.cli.report;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.Failure;
import dev.vauban.cli.job.Example;
import dev.vauban.cli.run.AtomicFile;
import dev.vauban.cli.terminal.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A folder of attacked images: for each, three PNG files ({@code 01-clean.png}, {@code
 * 01-adversarial.png}, {@code 01-perturbation.png}) and a line in {@code examples.json}.
 */
public final class Examples {
  private static final String INDEX = "examples.json";

  private Examples() {}

  /** What {@code examples.json} says about one image. */
  public record Entry(
      String model,
      String name,
      int label,
      int cleanPrediction,
      int adversarialPrediction,
      double eps) {}

  /**
   * Writes {@code examples} to {@code folder}, which is made if it is missing.
   *
   * @throws CommandException exit 1 if the disk is full, exit 2 if the folder cannot be written
   */
  public static void write(Path folder, List<Example> examples) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw Failure.writing(folder, e);
    }
    List<Entry> index = new ArrayList<>();
    for (Example example : examples) {
      Picture picture = Picture.of(example);
      String name = String.format(Locale.ROOT, "%02d", index.size() + 1);
      png(folder.resolve(name + "-clean.png"), picture.clean());
      png(folder.resolve(name + "-adversarial.png"), picture.adversarial());
      png(folder.resolve(name + "-perturbation.png"), picture.perturbation());
      index.add(
          new Entry(
              example.model(),
              name,
              example.label(),
              example.cleanPrediction(),
              example.adversarialPrediction(),
              example.eps()));
    }
    AtomicFile.write(folder.resolve(INDEX), Json.pretty(index) + "\n");
  }

  private static void png(Path file, byte[] bytes) {
    AtomicFile.write(file, temporary -> Files.write(temporary, bytes));
  }

  /** The images in {@code folder}; none if there is no such folder. */
  static List<Picture> read(Path folder) {
    Path index = folder.resolve(INDEX);
    if (!Files.exists(index)) {
      return List.of();
    }
    try {
      List<Picture> pictures = new ArrayList<>();
      for (Entry e : Json.read(index, Entry[].class, "examples")) {
        pictures.add(
            new Picture(
                e.model,
                Files.readAllBytes(folder.resolve(e.name + "-clean.png")),
                Files.readAllBytes(folder.resolve(e.name + "-adversarial.png")),
                Files.readAllBytes(folder.resolve(e.name + "-perturbation.png")),
                e.label,
                e.cleanPrediction,
                e.adversarialPrediction,
                e.eps));
      }
      return pictures;
    } catch (IOException e) {
      throw CommandException.badInput(
          "cannot read the images in " + folder + ": " + Failure.reason(e), e);
    }
  }
}
