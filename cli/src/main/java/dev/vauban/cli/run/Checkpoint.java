package dev.vauban.cli.run;

import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A saved state of a run.
 *
 * @param step the number of finished meta-steps
 * @param file its safetensors file, {@code checkpoint-00001000.safetensors}
 */
public record Checkpoint(long step, Path file) {
  private static final Pattern NAME = Pattern.compile("checkpoint-(\\d+)\\.safetensors");

  static Checkpoint at(Path run, long step) {
    return new Checkpoint(step, run.resolve("checkpoint-%08d.safetensors".formatted(step)));
  }

  static Optional<Checkpoint> of(Path file) {
    Matcher matcher = NAME.matcher(file.getFileName().toString());
    return matcher.matches()
        ? Optional.of(new Checkpoint(Long.parseLong(matcher.group(1)), file))
        : Optional.empty();
  }
}
