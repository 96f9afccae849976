package dev.vauban.cli.oracle;

import dev.vauban.adversarial.blackbox.Oracle;
import dev.vauban.tensor.Shape;
import java.time.Duration;

/**
 * What is known of an oracle outside of Vauban.
 *
 * @param image shape of one image, [H,W,C]
 * @param classes number of classes
 * @param reply what it answers with
 * @param batch the most images of one call
 * @param timeout how long one call may take
 */
public record Endpoint(Shape image, int classes, Oracle.Reply reply, int batch, Duration timeout) {}
