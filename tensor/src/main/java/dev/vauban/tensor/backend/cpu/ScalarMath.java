package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.ScalarFn;

/**
 * The scalar functions that are no instruction and not in {@link Math}, named as {@link ScalarCode}
 * calls them: the constant of {@link ScalarFn} in lower case. Functions of floats are computed in
 * double and rounded.
 */
final class ScalarMath {
  private ScalarMath() {}

  static float exp(float a) {
    return (float) Math.exp(a);
  }

  static double exp(double a) {
    return Math.exp(a);
  }

  static float expm1(float a) {
    return (float) Math.expm1(a);
  }

  static double expm1(double a) {
    return Math.expm1(a);
  }

  static float log(float a) {
    return (float) Math.log(a);
  }

  static double log(double a) {
    return Math.log(a);
  }

  static float log1p(float a) {
    return (float) Math.log1p(a);
  }

  static double log1p(double a) {
    return Math.log1p(a);
  }

  static float sin(float a) {
    return (float) Math.sin(a);
  }

  static double sin(double a) {
    return Math.sin(a);
  }

  static float cos(float a) {
    return (float) Math.cos(a);
  }

  static double cos(double a) {
    return Math.cos(a);
  }

  static float tanh(float a) {
    return (float) Math.tanh(a);
  }

  static double tanh(double a) {
    return Math.tanh(a);
  }

  static float sigmoid(float a) {
    return (float) (1 / (1 + Math.exp(-a)));
  }

  static double sigmoid(double a) {
    return 1 / (1 + Math.exp(-a));
  }

  static float erf(float a) {
    return (float) ScalarFn.ERF.apply(a, 0, 0);
  }

  static double erf(double a) {
    return ScalarFn.ERF.apply(a, 0, 0);
  }

  static float sqrt(float a) {
    return (float) Math.sqrt(a);
  }

  static double sqrt(double a) {
    return Math.sqrt(a);
  }

  static float rsqrt(float a) {
    return (float) (1 / Math.sqrt(a));
  }

  static double rsqrt(double a) {
    return 1 / Math.sqrt(a);
  }

  static float reciprocal(float a) {
    return 1 / a;
  }

  static float floor(float a) {
    return (float) Math.floor(a);
  }

  static double reciprocal(double a) {
    return 1 / a;
  }

  static double floor(double a) {
    return Math.floor(a);
  }

  static float pow(float a, float b) {
    return (float) Math.pow(a, b);
  }

  static double pow(double a, double b) {
    return Math.pow(a, b);
  }

  static float sign(float a) {
    return Math.signum(a);
  }

  static float relu(float a) {
    return Math.max(a, 0);
  }

  static float lt(float a, float b) {
    return a < b ? 1 : 0;
  }

  static float le(float a, float b) {
    return a <= b ? 1 : 0;
  }

  static float eq(float a, float b) {
    return a == b ? 1 : 0;
  }

  static float ne(float a, float b) {
    return a != b ? 1 : 0;
  }

  static float select(float mask, float a, float b) {
    return mask != 0 ? a : b;
  }

  static float clamp(float a, float low, float high) {
    return Math.min(Math.max(a, low), high);
  }

  static double sign(double a) {
    return Math.signum(a);
  }

  static double relu(double a) {
    return Math.max(a, 0);
  }

  static double lt(double a, double b) {
    return a < b ? 1 : 0;
  }

  static double le(double a, double b) {
    return a <= b ? 1 : 0;
  }

  static double eq(double a, double b) {
    return a == b ? 1 : 0;
  }

  static double ne(double a, double b) {
    return a != b ? 1 : 0;
  }

  static double select(double mask, double a, double b) {
    return mask != 0 ? a : b;
  }

  static double clamp(double a, double low, double high) {
    return Math.min(Math.max(a, low), high);
  }

  static int sign(int a) {
    return Integer.signum(a);
  }

  static int relu(int a) {
    return Math.max(a, 0);
  }

  static int lt(int a, int b) {
    return a < b ? 1 : 0;
  }

  static int le(int a, int b) {
    return a <= b ? 1 : 0;
  }

  static int eq(int a, int b) {
    return a == b ? 1 : 0;
  }

  static int ne(int a, int b) {
    return a != b ? 1 : 0;
  }

  static int select(int mask, int a, int b) {
    return mask != 0 ? a : b;
  }

  static int clamp(int a, int low, int high) {
    return Math.min(Math.max(a, low), high);
  }
}
