package dev.vauban.tensor;

/** A device whose programs are compiled in another precision than they are written in. */
record PrecisionDevice(Device device, Precision precision) implements Device {
  @Override
  public String name() {
    return device.name();
  }

  @Override
  public String description() {
    return device.description() + ", products in " + precision.label();
  }

  @Override
  public Plan compile(Program program) {
    return device.compile(program.in(precision, device::rounds));
  }

  @Override
  public Device in(Precision other) {
    return device.in(other);
  }

  @Override
  public boolean rounds(Expr product) {
    return device.rounds(product);
  }

  @Override
  public void close() {
    device.close();
  }
}
