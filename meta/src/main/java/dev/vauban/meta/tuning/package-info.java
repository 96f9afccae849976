/**
 * Learning to fine-tune: an optimiser with weights of its own is trained on many small problems, by
 * differentiating through its steps. Problems need not have variables of one shape ("incongruous"
 * tasks): that is what tells a learned fine-tuner from a learned initialisation.
 */
package dev.vauban.meta.tuning;
