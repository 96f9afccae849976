package dev.vauban.nn;

import dev.vauban.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The models by name. F is a number of filters, A, B, ... are numbers of hidden units:
 *
 * <ul>
 *   <li>{@code conv4-F}: {@link Conv4#maxPooled}; the usual ones are conv4-64 and conv4-32
 *   <li>{@code conv4-strided-F}: {@link Conv4#strided}
 *   <li>{@code conv4-rmaml-F}: {@link Conv4#rmamlOmniglot}
 *   <li>{@code conv4-cifar}: {@link Conv4#cifar}
 *   <li>{@code conv4-mini-F}: {@link Conv4#mini}
 *   <li>{@code resnet18}: {@link ResNet#eighteen} with 64 filters in its first stage; {@code
 *       resnet18-F} with F
 *   <li>{@code cnn-F-F-...}: convolutions 3x3 with stride 2, a bias and ReLU, no normalisation, so
 *       that an image's logits do not depend on the others of its batch
 *   <li>{@code mlp-A-B-...}: a perceptron with these hidden layers and ReLU; {@code linear}: none
 * </ul>
 */
public final class Models {
  private static final List<String> EXAMPLES =
      List.of(
          "conv4-64",
          "conv4-32",
          "conv4-strided-64",
          "conv4-strided-32",
          "conv4-rmaml-64",
          "conv4-cifar",
          "conv4-mini-32",
          "resnet18",
          "cnn-16-32-64",
          "mlp-256-128",
          "linear");
  private static final Pattern FILTERS =
      Pattern.compile("conv4-(?:(strided|rmaml|mini)-)?([1-9][0-9]{0,3})");
  private static final Pattern RESNET = Pattern.compile("resnet18(?:-([1-9][0-9]{0,3}))?");
  private static final Pattern HIDDEN = Pattern.compile("mlp((?:-[1-9][0-9]{0,4})+)");

  private static final Pattern PLAIN = Pattern.compile("cnn((?:-[1-9][0-9]{0,3})+)");

  private Models() {}

  /** Names that {@link #named} knows; other numbers may stand in place of those in them. */
  public static List<String> names() {
    return EXAMPLES;
  }

  /**
   * The model of a name.
   *
   * @param name as listed above, in any case
   * @param input shape of one example: images [H,W,C]
   * @param ways number of classes; at least 1
   * @throws IllegalArgumentException if there is no such model; the message has the nearest name
   * @throws dev.vauban.tensor.ShapeException if the model cannot take such inputs
   */
  public static Model named(String name, Shape input, int ways) {
    String n = name.strip().toLowerCase(Locale.ROOT);
    if (n.equals("conv4-cifar")) {
      return Conv4.cifar(input, ways);
    }
    if (n.equals("linear")) {
      return new Model(n, input, Layers.flatten(), Layers.linear(ways));
    }
    Matcher conv = FILTERS.matcher(n);
    if (conv.matches()) {
      int filters = Integer.parseInt(conv.group(2));
      return switch (conv.group(1)) {
        case "strided" -> Conv4.strided(input, filters, ways);
        case "rmaml" -> Conv4.rmamlOmniglot(input, filters, ways);
        case "mini" -> Conv4.mini(input, filters, ways);
        case null -> Conv4.maxPooled(input, filters, ways);
        default -> throw new IllegalStateException("pattern and switch differ: " + n);
      };
    }
    Matcher residual = RESNET.matcher(n);
    if (residual.matches()) {
      String width = residual.group(1);
      return ResNet.eighteen(input, width == null ? 64 : Integer.parseInt(width), ways);
    }
    Matcher plain = PLAIN.matcher(n);
    if (plain.matches()) {
      List<Layer> layers = new ArrayList<>();
      for (int filters : numbers(plain.group(1))) {
        layers.add(Layers.block("block", Layers.conv(filters, 3, 2, 1), Layers.relu()));
      }
      layers.add(Layers.flatten());
      Layer body = Layers.sequential(layers.toArray(Layer[]::new));
      return new Model(n, input, body, Layers.linear(ways));
    }
    Matcher mlp = HIDDEN.matcher(n);
    if (mlp.matches()) {
      Layer perceptron = Layers.mlp(Activation.RELU, numbers(mlp.group(1)));
      Layer body = Layers.sequential(perceptron, Layers.relu());
      return new Model(n, input, body, Layers.linear(ways));
    }
    throw new IllegalArgumentException(NearestName.unknown("model", name, EXAMPLES));
  }

  /** The numbers of {@code -A-B-...}. */
  private static int[] numbers(String list) {
    return Arrays.stream(list.substring(1).split("-")).mapToInt(Integer::parseInt).toArray();
  }
}
