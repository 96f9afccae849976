/** ONNX models, run by ONNX Runtime, as oracles of black-box attacks. */
package dev.vauban.oracle.onnx;
