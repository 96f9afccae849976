package dev.vauban.cli.work;

import dev.vauban.cli.run.AtomicFile;
import dev.vauban.nn.Safetensors;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * The weights of a run that did best in validation: {@code best.safetensors}. The file itself says
 * at which step and with what score, so that weights and score change in one move, and a session
 * that is killed at any moment leaves both to the next one.
 */
final class BestWeights {
  private static final String STEP = "best_step";
  private static final String SCORE = "best_score";

  private final Path file;
  private double score;

  private BestWeights(Path file, double score) {
    this.file = file;
    this.score = score;
  }

  /**
   * What the run in {@code folder} has so far; nothing, if it has not validated yet.
   *
   * @throws dev.vauban.tensor.FormatException if the file is damaged
   */
  static BestWeights of(Path folder) {
    Path file = folder.resolve(ModelFile.BEST);
    if (!Files.exists(file)) {
      return new BestWeights(file, Double.NEGATIVE_INFINITY);
    }
    try (Scope scope = Scope.open()) {
      String score = Safetensors.read(file, scope).metadata().get(SCORE);
      return new BestWeights(
          file, score == null ? Double.NEGATIVE_INFINITY : Double.parseDouble(score));
    }
  }

  /**
   * Keeps these weights if their score is above that of the weights kept so far.
   *
   * @param facts what the weights belong to; step and score are added
   */
  void offer(long step, double candidate, Tree<Tensor> weights, Map<String, String> facts) {
    if (candidate > score) {
      facts.put(STEP, Long.toString(step));
      facts.put(SCORE, Double.toString(candidate));
      AtomicFile.write(
          file, target -> Safetensors.writeNew(target, Tree.of("weights", weights), facts));
      score = candidate;
    }
  }
}
