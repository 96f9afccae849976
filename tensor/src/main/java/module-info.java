/** Tensors: a traced graph, gradients of any order, and backends that replay compiled plans. */
module dev.vauban.tensor {
  requires dev.vauban.natives;
  requires jdk.incubator.vector;
  requires org.objectweb.asm;

  exports dev.vauban.tensor;
  exports dev.vauban.tensor.backend.reference;
  exports dev.vauban.tensor.backend.cpu to
      dev.vauban.bench;
  exports dev.vauban.tensor.backend.cpu.kernels to
      dev.vauban.bench;

  uses dev.vauban.tensor.DeviceProvider;

  provides dev.vauban.tensor.DeviceProvider with
      dev.vauban.tensor.backend.cpu.CpuDevices,
      dev.vauban.tensor.backend.cuda.CudaDevices,
      dev.vauban.tensor.backend.reference.ReferenceDevices;
}
