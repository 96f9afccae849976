package dev.vauban.cli.reproduce;

import dev.vauban.cli.config.Method;
import dev.vauban.cli.reproduce.Table.Cell;
import dev.vauban.cli.reproduce.Table.Claim;
import dev.vauban.cli.reproduce.Table.Kind;
import dev.vauban.cli.reproduce.Table.Line;
import dev.vauban.cli.reproduce.Table.Measure;
import dev.vauban.cli.reproduce.Table.Published;
import dev.vauban.nn.NearestName;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The tables. A published figure stands here only where its source was read; figures that are known
 * from memory alone are left out and printed as "not published".
 */
public final class Catalogue {
  private static final String EPS8 = "eps 8/255";
  private static final String EPS16 = "eps 16/255";

  /** TRADES over support and query, as with unlabeled images, but without these. */
  private static final String NO_UNLABELED = "rmaml-trades-ul, none unlabeled";

  private static final Map<String, String> OMNIGLOT =
      Map.of("data", "omniglot:data/omniglot", "eps", "16/255");
  private static final Map<String, String> CIFAR =
      Map.of("data", "cifarfs:data/cifar-fs", "eps", "8/255");
  private static final Published FINN_5W1S =
      new Published(
          "98.7 ± 0.4 clean", "Finn et al. 2017, as quoted in a public re-implementation");
  private static final Published FINN_20W1S =
      new Published("95.8 clean", "Finn et al. 2017, as quoted in a public re-implementation");

  private Catalogue() {}

  /** All tables. */
  public static List<Table> tables() {
    return List.of(
        omniglot("omniglot-5w1s", 5, FINN_5W1S),
        omniglot("omniglot-20w1s", 20, FINN_20W1S),
        cifar("cifarfs-5w1s", 1),
        cifar("cifarfs-5w5s", 5),
        itsShots(),
        innerSteps(),
        whenToRobustify(),
        mavrlTransfer());
  }

  /**
   * The table of this name.
   *
   * @throws IllegalArgumentException if there is none, with the nearest name
   */
  public static Table named(String name) {
    return tables().stream()
        .filter(t -> t.name().equals(name.strip()))
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                NearestName.unknown(
                    "table",
                    name,
                    Stream.concat(
                            tables().stream().map(Table::name), Stream.of(UniversalTable.NAME))
                        .toList())));
  }

  private static Line line(Method method, String... settings) {
    return line(method.label(), method, settings);
  }

  private static Line line(String label, Method method, String... settings) {
    return new Line(label, settings(method, settings), Map.of());
  }

  private static Map<String, String> settings(Method method, String... pairs) {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("method", method.label());
    for (int i = 0; i < pairs.length; i += 2) {
      all.put(pairs[i], pairs[i + 1]);
    }
    return all;
  }

  private static Claim claim(String text, String more, String less, String measure, Kind kind) {
    return claim(text, more, less, measure, kind, 0);
  }

  private static Claim claim(
      String text, String more, String less, String measure, Kind kind, double by) {
    return new Claim(text, new Cell(more, measure, kind), new Cell(less, measure, kind), by);
  }

  /** R-MAML's comparison (Wang et al. 2021), and the base learners. */
  private static Table omniglot(String name, int ways, Published maml) {
    List<Line> lines = new ArrayList<>();
    // Second order at every scale: in first order it would be the next line once more.
    lines.add(new Line("maml", settings(Method.MAML, "order", "second"), Map.of(EPS8, maml)));
    lines.addAll(
        List.of(
            line(Method.FOMAML),
            line(Method.ANIL),
            line(Method.REPTILE, "inner-steps", "5", "clip", "0"),
            line(Method.META_SGD),
            line(Method.MAML_LFT),
            line(Method.MAML_PLUS_PLUS, "order", "second"),
            line(Method.PROTONET, "train-ways", Integer.toString(3 * ways), "queries", "5"),
            line(Method.RFS),
            line(Method.RMAML_OUT),
            line("rmaml-out-pgd", Method.RMAML_OUT, "train-attack", "pgd"),
            line(Method.RMAML_TRADES, "gamma", "5"),
            line(Method.RMAML_TRADES_UL, "gamma", "5"),
            line(NO_UNLABELED, Method.RMAML_TRADES_UL, "gamma", "5", "unlabeled", "0"),
            line(Method.RMAML_CL),
            line(Method.RANIL_OUT),
            line(Method.AQ),
            line(Method.ADML),
            line(Method.RFS_AT)));
    return new Table(
        name,
        "Omniglot, %d-way 1-shot: accuracy clean and under PGD-10".formatted(ways),
        with(
            OMNIGLOT,
            Map.of("ways", Integer.toString(ways), "shots", "1", "queries", ways > 5 ? "5" : "15")),
        Map.of("queries", ways > 5 ? "5" : "15"),
        lines,
        List.of(
            new Measure(EPS8, Map.of("eps", "8/255")), new Measure(EPS16, Map.of("eps", "16/255"))),
        robustClaims(EPS16));
  }

  private static List<Claim> robustClaims(String eps) {
    return List.of(
        claim("R-MAML is more robust than MAML", "rmaml-out", "maml", eps, Kind.ROBUST, 0.1),
        claim("AQ is more robust than MAML", "aq", "maml", eps, Kind.ROBUST, 0.1),
        claim(
            "FGSM-RS comes within 2 points of PGD",
            "rmaml-out",
            "rmaml-out-pgd",
            eps,
            Kind.ROBUST,
            -0.02),
        claim("R-MAML is cleaner than AQ", "rmaml-out", "aq", eps, Kind.CLEAN),
        claim("unlabeled images help TRADES", "rmaml-trades-ul", NO_UNLABELED, eps, Kind.ROBUST),
        claim("a contrastive task helps", "rmaml-cl", "rmaml-out", eps, Kind.ROBUST),
        claim("AQ beats robust pre-training", "aq", "rfs-at", eps, Kind.ROBUST));
  }

  private static Map<String, String> with(Map<String, String> a, Map<String, String> b) {
    Map<String, String> all = new LinkedHashMap<>(a);
    all.putAll(b);
    return all;
  }

  private static Table cifar(String name, int shots) {
    List<Line> lines =
        List.of(
            line(Method.MAML, "order", "second"),
            line(Method.ANIL),
            line(Method.PROTONET, "train-ways", "15", "queries", "5"),
            line(Method.RFS),
            line(Method.RMAML_OUT),
            line("rmaml-out-pgd", Method.RMAML_OUT, "train-attack", "pgd"),
            line(Method.RMAML_TRADES, "gamma", "2.5"),
            line(Method.RMAML_TRADES_UL, "gamma", "2.5"),
            line(NO_UNLABELED, Method.RMAML_TRADES_UL, "gamma", "2.5", "unlabeled", "0"),
            line(Method.RMAML_CL),
            line(Method.AQ),
            line(Method.ADML),
            line(Method.RFS_AT));
    return new Table(
        name,
        "CIFAR-FS, 5-way %d-shot: accuracy clean and under PGD-10".formatted(shots),
        with(CIFAR, Map.of("model", "conv4", "shots", Integer.toString(shots))),
        Map.of("queries", "15"),
        lines,
        List.of(new Measure(EPS8, Map.of("eps", "8/255"))),
        robustClaims(EPS8));
  }

  /** ITS-MAML (Duan et al. 2022): more shots in training than in the test. */
  private static Table itsShots() {
    String test = "1 shot, " + EPS16;
    List<Line> lines = new ArrayList<>(List.of(line(Method.MAML, "shots", "1")));
    for (int shots : new int[] {1, 2, 3, 5}) {
      lines.add(
          line(
              "rmaml-out, %d shots".formatted(shots),
              Method.RMAML_OUT,
              "shots",
              Integer.toString(shots),
              "validate-shots",
              "1"));
    }
    return new Table(
        "its-shots",
        "Omniglot, 5-way, tested with 1 shot: training shots, accuracy, intrinsic dimension",
        OMNIGLOT,
        Map.of("shots", "1", "dimension", "1000"),
        lines,
        List.of(new Measure(test, Map.of("eps", "16/255"))),
        List.of(
            claim(
                "more shots in training recover clean accuracy",
                "rmaml-out, 5 shots",
                "rmaml-out, 1 shots",
                test,
                Kind.CLEAN),
            claim(
                "more shots in training raise the dimension",
                "rmaml-out, 5 shots",
                "rmaml-out, 1 shots",
                test,
                Kind.DIMENSION),
            claim(
                "robust training lowers the dimension",
                "maml",
                "rmaml-out, 1 shots",
                test,
                Kind.DIMENSION),
            claim(
                "with at most 5 points of robustness lost",
                "rmaml-out, 5 shots",
                "rmaml-out, 1 shots",
                test,
                Kind.ROBUST,
                -0.05)));
  }

  /** ITS-MAML's claim that fewer inner steps are enough in training. */
  private static Table innerSteps() {
    List<Line> lines = new ArrayList<>();
    for (int shots : new int[] {1, 3}) {
      for (int steps : new int[] {1, 2, 3, 5}) {
        lines.add(
            line(
                "%d shots, %d steps".formatted(shots, steps),
                Method.RMAML_OUT,
                "shots",
                Integer.toString(shots),
                "validate-shots",
                "1",
                "inner-steps",
                Integer.toString(steps)));
      }
    }
    return new Table(
        "inner-steps",
        "Omniglot, 5-way, tested with 1 shot and 10 fine-tune steps: inner steps in training",
        OMNIGLOT,
        Map.of("shots", "1"),
        lines,
        List.of(new Measure(EPS16, Map.of("eps", "16/255"))),
        List.of(
            claim(
                "with 3 shots, 2 steps come within 2 points of 5",
                "3 shots, 2 steps",
                "3 shots, 5 steps",
                EPS16,
                Kind.CLEAN,
                -0.02),
            claim(
                "and in robustness",
                "3 shots, 2 steps",
                "3 shots, 5 steps",
                EPS16,
                Kind.ROBUST,
                -0.02)));
  }

  /** R-MAML's first question: which level to robustify; at every stage of fine-tuning. */
  private static Table whenToRobustify() {
    String steps = "eps 16/255";
    String end = steps + ", 10 steps";
    return new Table(
        "when-to-robustify",
        "Omniglot, 5-way 1-shot: the robust loss in the inner level, the outer level, or both",
        OMNIGLOT,
        Map.of(),
        List.of(
            line(Method.MAML),
            line(Method.RMAML_IN),
            line(Method.RMAML_OUT),
            line(Method.RMAML_BOTH),
            line("rmaml-both, half rate", Method.RMAML_BOTH, "inner-rate", "0.05")),
        List.of(
            new Measure(steps, Map.of("eps", "16/255", "fine-tune-steps", "0,1,2,3,5,7,10")),
            new Measure("adversarial fine-tuning", Map.of("eps", "16/255", "support", "attacked"))),
        List.of(
            claim("robust under standard fine-tuning", "rmaml-out", "maml", end, Kind.ROBUST, 0.1),
            claim(
                "the outer level suffices: within 2 points of both",
                "rmaml-out",
                "rmaml-both",
                end,
                Kind.ROBUST,
                -0.02),
            claim(
                "the inner level alone does not: at most 5 points above MAML",
                "maml",
                "rmaml-in",
                end,
                Kind.ROBUST,
                -0.05),
            claim("the outer level is cleaner", "rmaml-out", "rmaml-both", end, Kind.CLEAN)));
  }

  /** MAVRL (Kim et al. 2022): robustness on an unseen domain. */
  private static Table mavrlTransfer() {
    String seen = "Omniglot";
    String unseen = "glyphs (unseen domain)";
    return new Table(
        "mavrl-transfer",
        "Trained on Omniglot, 5-way 5-shot: accuracy on unseen classes and on an unseen domain",
        with(OMNIGLOT, Map.of("shots", "5")),
        Map.of("shots", "5", "eps", "16/255"),
        Stream.of(Method.MAML, Method.AQ, Method.RMAML_OUT, Method.RMAML_TRADES, Method.MAVRL)
            .map(m -> line(m))
            .toList(),
        List.of(
            new Measure(seen, Map.of("linear", "100")),
            new Measure(unseen, Map.of("data", "glyphs", "linear", "100"))),
        List.of(
            claim(
                "multi-view beats AQ on the unseen domain (the paper: by more than 10 points)",
                "mavrl",
                "aq",
                unseen,
                Kind.ROBUST),
            claim("at most 3 points less clean there", "mavrl", "aq", unseen, Kind.CLEAN, -0.03)));
  }
}
