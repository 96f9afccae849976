// ---- Tensor cores ------------------------------------------------------------------------------

// The upper half of the fraction, ties away from zero: what cvt.rna.tf32.f32 does.
V_FN v_u32 v_to_tf32(float a) {
#if V_ON_CARD
  v_u32 r;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(r) : "f"(a));
  return r;
#else
  v_u32 b = v_bits(a);
  return (b & 0x7f800000u) == 0x7f800000u ? b : (b + 0x1000u) & 0xffffe000u;
#endif
}

#if V_ON_CARD
// d[16,8] += a[16,16] b[16,8], bf16; the PTX manual says which thread holds which elements.
V_FN void v_mma_bf16(float* d, const v_u32* a, const v_u32* b) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// d[16,8] += a[16,8] b[8,8], tf32.
V_FN void v_mma_tf32(float* d, const v_u32* a, const v_u32* b) {
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
      "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
#else
// The host's stand-in reads the other threads' registers through memory. All threads of a block
// take part, so a block's barrier serves for a warp's.
static v_u32 v_mma_registers[1024][6];

V_FN void v_mma_share(const v_u32* a, const v_u32* b) {
  for (int i = 0; i < 6; i++) {
    v_mma_registers[threadIdx.x][i] = i < 4 ? a[i] : b[i - 4];
  }
  __syncthreads();
}

V_FN void v_mma_bf16(float* d, const v_u32* a, const v_u32* b) {
  v_mma_share(a, b);
  unsigned warp = threadIdx.x / 32u * 32u, lane = threadIdx.x % 32u;
  for (unsigned i = 0; i < 4; i++) {
    unsigned row = lane / 4u + i / 2u * 8u, column = lane % 4u * 2u + i % 2u;
    for (unsigned k = 0; k < 16; k++) {
      unsigned ra = row / 8u + k / 8u * 2u, from = row % 8u * 4u + k % 8u / 2u;
      unsigned rb = k / 8u, at = column * 4u + k % 8u / 2u;
      v_u32 x = v_mma_registers[warp + from][ra] >> k % 2u * 16u;
      v_u32 y = v_mma_registers[warp + at][4u + rb] >> k % 2u * 16u;
      d[i] += v_from_bf16((v_bf16)x) * v_from_bf16((v_bf16)y);
    }
  }
  __syncthreads();
}

V_FN void v_mma_tf32(float* d, const v_u32* a, const v_u32* b) {
  v_mma_share(a, b);
  unsigned warp = threadIdx.x / 32u * 32u, lane = threadIdx.x % 32u;
  for (unsigned i = 0; i < 4; i++) {
    unsigned row = lane / 4u + i / 2u * 8u, column = lane % 4u * 2u + i % 2u;
    for (unsigned k = 0; k < 8; k++) {
      unsigned ra = row / 8u + k / 4u * 2u, from = row % 8u * 4u + k % 4u;
      unsigned rb = k / 4u, at = column * 4u + k % 4u;
      d[i] += v_float(v_mma_registers[warp + from][ra]) * v_float(v_mma_registers[warp + at][4u + rb]);
    }
  }
  __syncthreads();
}
#endif
