package dev.vauban.meta;

import dev.vauban.adversarial.FgsmRs;
import dev.vauban.adversarial.Linf;
import dev.vauban.nn.Model;
import dev.vauban.nn.Models;
import dev.vauban.nn.data.DataOptions;
import dev.vauban.nn.data.DataSets;
import dev.vauban.nn.data.EpisodeSampler;
import dev.vauban.nn.data.FewShotData;
import dev.vauban.nn.data.GlyphCounts;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;

/** A few built-in glyphs and a network small enough for the interpreter. */
final class Tiny implements AutoCloseable {
  static final double EPS = 0.1;
  final FewShotData data =
      DataSets.open(
          "glyphs", DataOptions.DEFAULT.withGlyphs(new GlyphCounts(12, 3, 6, 6)).withSize(12));
  final Model model;
  final Scope scope = Scope.open();
  final Tree<Tensor> weights;
  final EpisodeSampler train = new EpisodeSampler(data.train(), 3, 1, 2, Key.of(1));
  final EpisodeSampler test = new EpisodeSampler(data.test(), 3, 1, 3, Key.of(2));

  Tiny() {
    this(4);
  }

  Tiny(int filters) {
    model = Models.named("conv4-strided-" + filters, Shape.of(12, 12, 1), 3);
    weights = model.init(scope, Key.of(5));
  }

  Method method(String name) {
    return MetaLearners.named(name, model, options());
  }

  static MetaLearners.Options options() {
    return MetaLearners.Options.usual(0.1, EPS).withSteps(2).with(new FgsmRs(new Linf(EPS)));
  }

  @Override
  public void close() {
    scope.close();
    data.close();
  }
}
