package dev.vauban.tensor;

import java.util.List;

/** Builds the messages of trace-time errors: what, where, and the operands with their lines. */
final class Errors {
  private Errors() {}

  static ShapeException shapes(String op, String what, List<Expr> operands) {
    return new ShapeException(message(op, what, operands));
  }

  static DTypeException dtypes(String op, String what, List<Expr> operands) {
    return new DTypeException(message(op, what, operands));
  }

  static ShapeException arity(String op, int expected, int actual) {
    return new ShapeException(op + ": takes " + expected + " operands, not " + actual);
  }

  private static String message(String op, String what, List<Expr> operands) {
    StringBuilder s = new StringBuilder(op).append(": ").append(what);
    for (Expr e : operands) {
      s.append("\n    ").append(e.describe());
    }
    return s.toString();
  }
}
