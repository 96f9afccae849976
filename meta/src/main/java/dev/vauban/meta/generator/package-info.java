/**
 * Black-box attacks with prior knowledge: a conditional generator of perturbations that is taught
 * on surrogate models, meta-trained for quick adaptation, and adapted to every image under attack
 * (MCG, Yin et al. 2023), and the plain alternative, attacks that transfer from the surrogates.
 */
package dev.vauban.meta.generator;
