package dev.vauban.oracle.onnx;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * An ONNX file of {@code flatten(x) W + b}, written as protocol buffers field by field
 * (onnx.proto).
 */
final class LinearModelFile {
  private LinearModelFile() {}

  /** A model of images with the axes {@code shape}; a size of -1 is left open. */
  static byte[] of(long[] shape, int classes, float[] w, float[] b) {
    byte[] graph =
        join(
            message(1, node("Flatten", "flat", "x")),
            message(1, node("MatMul", "product", "flat", "w")),
            message(1, node("Add", "y", "product", "b")),
            text(2, "linear"),
            message(5, tensor("w", w, w.length / classes, classes)),
            message(5, tensor("b", b, classes)),
            message(11, value("x", shape)),
            message(12, value("y", shape[0], classes)));
    byte[] opset = join(text(1, ""), number(2, 13));
    return join(number(1, 8), message(7, graph), message(8, opset));
  }

  private static byte[] node(String type, String output, String... inputs) {
    byte[] node = new byte[0];
    for (String input : inputs) {
      node = join(node, text(1, input));
    }
    return join(node, text(2, output), text(4, type));
  }

  private static byte[] tensor(String name, float[] values, long... dims) {
    byte[] tensor = new byte[0];
    for (long dim : dims) {
      tensor = join(tensor, number(1, dim));
    }
    ByteBuffer raw = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      raw.putFloat(value);
    }
    return join(tensor, number(2, 1), text(8, name), message(9, raw.array()));
  }

  private static byte[] value(String name, long... dims) {
    byte[] shape = new byte[0];
    for (long dim : dims) {
      shape = join(shape, message(1, dim < 0 ? text(2, "n") : number(1, dim)));
    }
    byte[] type = join(number(1, 1), message(2, shape));
    return join(text(1, name), message(2, message(1, type)));
  }

  private static byte[] number(int field, long value) {
    return join(varint(field << 3), varint(value));
  }

  private static byte[] text(int field, String value) {
    return message(field, value.getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] message(int field, byte[] content) {
    return join(varint(field << 3 | 2), varint(content.length), content);
  }

  private static byte[] varint(long value) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    long rest = value;
    while ((rest & ~0x7FL) != 0) {
      out.write((int) (rest & 0x7F | 0x80));
      rest >>>= 7;
    }
    out.write((int) rest);
    return out.toByteArray();
  }

  private static byte[] join(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }
}
