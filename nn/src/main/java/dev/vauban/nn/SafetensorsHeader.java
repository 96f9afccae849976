package dev.vauban.nn;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.FormatException;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Type;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The header of a safetensors file.
 *
 * @param entries the tensors in the header's order
 * @param metadata the file's own texts
 * @param dataStart where the values begin in the file
 */
record SafetensorsHeader(List<Entry> entries, Map<String, String> metadata, long dataStart) {
  /** The reference implementation's limit. */
  private static final long LARGEST = 100_000_000;

  private static final String METADATA = "__metadata__";
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  /**
   * One tensor.
   *
   * @param begin offset of its first byte from {@code dataStart}
   */
  record Entry(String name, Type type, long begin) {
    long end() {
      return begin + type.bytes();
    }
  }

  /** The header as JSON, padded with blanks so that the values begin at a multiple of 8. */
  static byte[] encode(
      Map<String, Tensor> leaves, Map<String, Long> offsets, Map<String, String> metadata) {
    ObjectNode root = JSON.createObjectNode();
    if (!metadata.isEmpty()) {
      ObjectNode m = root.putObject(METADATA);
      metadata.forEach(m::put);
    }
    leaves.forEach((name, tensor) -> {
      ObjectNode e = root.putObject(name);
      e.put("dtype", tensor.type().dtype().name());
      ArrayNode shape = e.putArray("shape");
      Arrays.stream(tensor.shape().dims()).forEach(shape::add);
      long begin = offsets.get(name);
      e.putArray("data_offsets").add(begin).add(begin + tensor.type().bytes());
    });
    byte[] json = JSON.writeValueAsBytes(root);
    byte[] padded = Arrays.copyOf(json, (json.length + 7) / 8 * 8);
    Arrays.fill(padded, json.length, padded.length, (byte) ' ');
    return padded;
  }

  /** Reads and checks the header of an open file. */
  static SafetensorsHeader read(Path file, FileChannel channel) throws IOException {
    long size = channel.size();
    if (size < 8) {
      throw bad(file, "%d bytes are too few for a safetensors file", size);
    }
    long length = bytes(channel, 0, 8).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    if (length < 0 || length > LARGEST) {
      throw bad(
          file,
          "a header of %s bytes is more than the %d allowed; is this a safetensors file?",
          Long.toUnsignedString(length),
          LARGEST);
    }
    if (length > size - 8) {
      throw bad(
          file, "the header should have %d bytes but the file ends after %d", length, size - 8);
    }
    JsonNode root = parse(file, bytes(channel, 8, (int) length));
    if (!root.isObject()) {
      throw bad(file, "the header is no JSON object");
    }
    Map<String, String> metadata = new LinkedHashMap<>();
    List<Entry> entries = new ArrayList<>();
    for (Map.Entry<String, JsonNode> e : root.properties()) {
      if (e.getKey().equals(METADATA)) {
        metadata.putAll(metadata(file, e.getValue()));
      } else {
        entries.add(entry(file, e.getKey(), e.getValue()));
      }
    }
    contiguous(file, entries, size - 8 - length);
    return new SafetensorsHeader(List.copyOf(entries), metadata, 8 + length);
  }

  private static ByteBuffer bytes(FileChannel channel, long at, int count) throws IOException {
    ByteBuffer b = ByteBuffer.allocate(count);
    while (b.hasRemaining()) {
      if (channel.read(b, at + b.position()) < 0) {
        throw new java.io.EOFException();
      }
    }
    return b.flip();
  }

  private static JsonNode parse(Path file, ByteBuffer json) {
    try {
      return JSON.readTree(new String(json.array(), StandardCharsets.UTF_8));
    } catch (JacksonException e) {
      throw new FormatException(
          file + ": the header is no valid JSON: " + e.getOriginalMessage(), e);
    }
  }

  private static Map<String, String> metadata(Path file, JsonNode node) {
    Map<String, String> out = new LinkedHashMap<>();
    if (!node.isObject()) {
      throw bad(file, "%s is no JSON object", METADATA);
    }
    for (Map.Entry<String, JsonNode> e : node.properties()) {
      if (!e.getValue().isString()) {
        throw bad(file, "%s: '%s' is no text", METADATA, e.getKey());
      }
      out.put(e.getKey(), e.getValue().asString());
    }
    return out;
  }

  private static Entry entry(Path file, String name, JsonNode node) {
    JsonNode dtype = node.path("dtype");
    JsonNode shape = node.path("shape");
    JsonNode offsets = node.path("data_offsets");
    if (!dtype.isString() || !shape.isArray() || !offsets.isArray() || offsets.size() != 2) {
      throw bad(file, "tensor '%s' lacks its dtype, shape or two data_offsets", name);
    }
    DType type = dtype(file, name, dtype.asString());
    int[] dims = new int[shape.size()];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = (int) number(file, name, shape.get(i), Integer.MAX_VALUE);
    }
    long begin = number(file, name, offsets.get(0), Long.MAX_VALUE);
    long end = number(file, name, offsets.get(1), Long.MAX_VALUE);
    Type t = type(file, name, type, dims);
    if (end < begin || end - begin != t.bytes()) {
      throw bad(
          file,
          "tensor '%s' (%s) needs %d bytes but spans %d to %d",
          name,
          t,
          t.bytes(),
          begin,
          end);
    }
    return new Entry(name, t, begin);
  }

  private static Type type(Path file, String name, DType dtype, int[] dims) {
    try {
      Type t = new Type(dtype, Shape.of(dims));
      Math.multiplyExact(t.shape().size(), (long) dtype.bytes());
      return t;
    } catch (ArithmeticException e) {
      throw bad(file, "tensor '%s' of shape %s is too large", name, Arrays.toString(dims));
    }
  }

  private static DType dtype(Path file, String name, String text) {
    for (DType d : DType.values()) {
      if (d.name().equals(text)) {
        return d;
      }
    }
    throw bad(
        file,
        "tensor '%s' has the unknown element type '%s'; Vauban reads F32, BF16, F64, I32 and U8",
        name,
        text);
  }

  private static long number(Path file, String name, JsonNode node, long largest) {
    if (!node.isIntegralNumber() || !node.canConvertToLong()) {
      throw bad(file, "tensor '%s': %s is no whole number", name, node);
    }
    long n = node.asLong();
    if (n < 0 || n > largest) {
      throw bad(file, "tensor '%s': %d is out of range", name, n);
    }
    return n;
  }

  /** The tensors must cover the rest of the file exactly: no gap, no overlap, nothing beyond. */
  private static void contiguous(Path file, List<Entry> entries, long available) {
    List<Entry> sorted = new ArrayList<>(entries);
    sorted.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    long at = 0;
    for (Entry e : sorted) {
      if (e.begin() < at) {
        throw bad(file, "tensor '%s' overlaps the one before it", e.name());
      }
      if (e.begin() > at) {
        throw bad(
            file, "%d bytes before tensor '%s' belong to no tensor", e.begin() - at, e.name());
      }
      if (e.end() > available) {
        throw bad(
            file,
            "tensor '%s' ends at byte %d of the values but the file has only %d of them",
            e.name(),
            e.end(),
            available);
      }
      at = e.end();
    }
    if (at != available) {
      throw bad(file, "%d bytes after the last tensor belong to no tensor", available - at);
    }
  }

  private static FormatException bad(Path file, String what, Object... arguments) {
    return new FormatException(file + ": " + what.formatted(arguments));
  }
}
