package dev.vauban.adversarial;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.Vmap;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Auto-PGD (Croce and Hein 2020, <a href="https://arxiv.org/abs/2003.01690">arXiv 2003.01690</a>,
 * Algorithm 1): projected gradient ascent with momentum that needs no step size. It begins with
 * steps of two radii; at checkpoints that come closer and closer, an image whose loss did not rise
 * often enough, or whose best loss stands still, halves its step and goes on from its best point.
 *
 * <p>As in the code of AutoAttack, where it differs from the paper: the first condition is "at most
 * 3/4 of the steps since the last checkpoint raised the loss" where the paper has "less than"; the
 * first of these steps is compared with a loss of 0; an image that returns to its best point keeps
 * the point before as the origin of its next momentum; random starts lie on the ball's surface.
 *
 * <p>Deviations from that code: {@link #perturb} returns the point of highest loss, as the paper
 * does, while the code returns the last point that was misclassified; an attack knows no label, but
 * {@link #search} can be told. Random numbers come from the key. An image is not left out once it
 * is misclassified.
 *
 * <p>Each image has its own step and its own best point if the loss gives a value for each. With a
 * loss of the whole batch the batch has one step and is kept or taken back as a whole.
 *
 * @param ball what the attacker may do
 * @param steps how many, at least 1; 100 in AutoAttack. One more gradient is taken than steps
 * @param from where to begin
 */
public record Apgd(Ball ball, int steps, Start from) implements Attack {
  private static final double RISING = 0.75; // rho: the share of steps that must raise the loss
  private static final double NEW = 0.75; // alpha: of the step; the rest is momentum

  /** Checks the number of steps. */
  public Apgd {
    if (steps < 1) {
      throw new IllegalArgumentException("apgd needs at least 1 step, not " + steps);
    }
  }

  /** From a random start. */
  public Apgd(Ball ball, int steps) {
    this(ball, steps, Start.RANDOM);
  }

  /** The same attack that begins elsewhere. */
  public Apgd from(Start start) {
    return new Apgd(ball, steps, start);
  }

  /**
   * What was found.
   *
   * @param best the points of highest loss [N,...]
   * @param loss at them, [N] or a scalar
   * @param fooling for each image the last point that was misclassified, where there was none its
   *     start [N,...]
   */
  public record Found(Expr best, Expr loss, Expr fooling) {}

  @Override
  public Expr perturb(UnaryOperator<Expr> loss, Expr x, Expr key) {
    return ascendFrom(loss, x, start(x, key));
  }

  /** The attack from a given start: images [N,...] in [0,1] within the ball around {@code x}. */
  public Expr ascendFrom(UnaryOperator<Expr> loss, Expr x, Expr start) {
    return climbed(loss, null, x, start).get("best").stopGradient();
  }

  /**
   * The attack from a given start that also remembers points that are misclassified.
   *
   * @param loss images [N,...] to a loss for each image [N], or to a scalar
   * @param margin images [N,...] to a number [N] above 0 where the image is misclassified, for
   *     example {@link Dlr#of}
   * @param x the images [N,...], in [0,1]
   * @param start images [N,...] in [0,1] within the ball around {@code x}
   */
  public Found search(UnaryOperator<Expr> loss, UnaryOperator<Expr> margin, Expr x, Expr start) {
    Tree<Expr> end = climbed(loss, margin, x, start);
    return new Found(
        end.get("best").stopGradient(),
        end.get("highest").stopGradient(),
        end.get("fooling").stopGradient());
  }

  private Expr start(Expr x, Expr key) {
    return switch (from) {
      case IMAGE -> x;
      case RANDOM -> ball.surface(x, key).clamp(0, 1);
      case NEAR -> x.add(key.normal(x.shape()).cast(x.dtype()).mul(0.001));
    };
  }

  /**
   * The checkpoints: element i is the number of steps since the last one if there is one after i
   * steps, else 0. They come after p_j of all steps, with p_0 = 0, p_1 = 0.22 and p_{j+1} = p_j +
   * max(p_j - p_{j-1} - 0.03, 0.06), in whole steps as AutoAttack's code rounds.
   */
  static List<Integer> checkpoints(int steps) {
    int length = Math.max((int) (0.22 * steps), 1);
    int least = Math.max((int) (0.06 * steps), 1);
    int shorter = Math.max((int) (0.03 * steps), 1);
    List<Integer> since = new ArrayList<>();
    int count = 0;
    for (int i = 0; i <= steps; i++) {
      boolean here = i > 0 && ++count == length;
      since.add(here ? length : 0);
      if (here) {
        length = Math.max(length - shorter, least);
        count = 0;
      }
    }
    return since;
  }

  /**
   * All steps. Each pass of the loop looks at a point, keeps it if it is the best, decides at a
   * checkpoint, and moves: with one pass more than steps, every point is looked at, and the network
   * is in the plan once. The last pass moves in vain.
   */
  private Tree<Expr> climbed(
      UnaryOperator<Expr> loss, UnaryOperator<Expr> margin, Expr x, Expr start) {
    Expr none = loss.apply(start).zeros(); // only its type matters
    Expr two = none.add(Radius.like(ball.radius().mul(2), none));
    Tree<Expr> state =
        Tree.of("point", start, "before", start, "best", start)
            .with("slope", start.zeros())
            .with("highest", none)
            .with("reference", none) // the highest at the last checkpoint
            .with("previous", none)
            .with("rises", none)
            .with("step", two)
            .with("reduced", none.ones());
    if (margin != null) {
      state = state.with("fooling", start);
    }
    double[] since = checkpoints(steps).stream().mapToDouble(Integer::doubleValue).toArray();
    Expr table = Expr.data(new Type(none.dtype(), Shape.of(steps + 1)), since);
    return Vmap.repeat(
        steps + 1,
        state,
        (i, s) -> {
          Expr first = i.eq(0).cast(none.dtype());
          Tree<Expr> seen = looked(loss, margin, first, s);
          Tree<Expr> next = moved(x, first, decided(table.gather(0, i), seen));
          return s.mapPaths((path, old) -> next.get(path));
        });
  }

  /** Loss and gradient at the point; the point is the best one if it is the first or better. */
  private static Tree<Expr> looked(
      UnaryOperator<Expr> loss, UnaryOperator<Expr> margin, Expr first, Tree<Expr> s) {
    Expr x = s.get("point");
    Grad.Extended at =
        Grad.extended(
            t -> {
              Expr each = loss.apply(t.value());
              Tree<Expr> extras = Tree.of("loss", each);
              if (margin != null) {
                extras = extras.with("margin", margin.apply(t.value()));
              }
              return new Grad.Outcome(each.shape().rank() == 0 ? each : each.sum(), extras);
            },
            Tree.leaf(x));
    Expr g = at.gradient().value();
    Expr l = at.extras().get("loss");
    Expr better = l.gt(s.get("highest")).max(first);
    Expr betterPixels = PerImage.against(better, x);
    Expr highest = Expr.select(better, l, s.get("highest"));
    Expr rises = s.get("rises").add(l.gt(s.get("previous")));
    Tree<Expr> seen =
        s.with("gradient", g)
            .with("best", Expr.select(betterPixels, x, s.get("best")))
            .with("slope", Expr.select(betterPixels, g, s.get("slope")))
            .with("highest", highest)
            // Before the first step nothing has risen, and there is no previous loss but 0.
            .with("reference", Expr.select(first, highest, s.get("reference")))
            .with("rises", Expr.select(first, rises.zeros(), rises))
            .with("previous", Expr.select(first, l.zeros(), l));
    if (margin == null) {
      return seen;
    }
    Expr fooled = PerImage.against(at.extras().get("margin").gt(0), x);
    return seen.with("fooling", Expr.select(fooled, x, s.get("fooling")));
  }

  /** At a checkpoint {@code since} steps after the last one: who halves its step and goes back. */
  private static Tree<Expr> decided(Expr since, Tree<Expr> s) {
    Expr here = since.gt(0);
    Expr highest = s.get("highest");
    Expr seldom = s.get("rises").le(since.mul(RISING)); // condition 1
    Expr stands = s.get("reference").ge(highest).mul(s.get("reduced").ones().sub(s.get("reduced")));
    Expr reduce = seldom.max(stands); // stands: condition 2
    Expr back = reduce.mul(here);
    Expr backPixels = PerImage.against(back, s.get("point"));
    return s.with("reduced", Expr.select(here, reduce, s.get("reduced")))
        .with("reference", Expr.select(here, highest, s.get("reference")))
        .with("rises", Expr.select(here, highest.zeros(), s.get("rises")))
        .with("step", Expr.select(back, s.get("step").mul(0.5), s.get("step")))
        .with("point", Expr.select(backPixels, s.get("best"), s.get("point")))
        .with("gradient", Expr.select(backPixels, s.get("slope"), s.get("gradient")));
  }

  /** A step with momentum: lines 7 and 8 of Algorithm 1. */
  private Tree<Expr> moved(Expr x, Expr first, Tree<Expr> s) {
    Expr at = s.get("point");
    Expr length = PerImage.against(s.get("step"), x).cast(x.dtype());
    Expr stepped = inside(at.add(ball.steepest(s.get("gradient")).mul(length)), x);
    Expr share = Expr.select(first, first.ones(), first.zeros().add(NEW)).cast(x.dtype());
    Expr momentum = at.sub(s.get("before")).mul(share.ones().sub(share));
    Expr next = inside(at.add(stepped.sub(at).mul(share)).add(momentum), x);
    return s.with("before", at).with("point", next);
  }

  private Expr inside(Expr adv, Expr x) {
    return ball.project(adv, x).clamp(0, 1);
  }

  @Override
  public boolean beginsAtImage() {
    return from == Start.IMAGE;
  }

  @Override
  public String toString() {
    String start =
        switch (from) {
          case IMAGE -> "";
          case RANDOM -> " random start";
          case NEAR -> " start near the image";
        };
    return "apgd-" + steps + " " + ball + start;
  }
}
