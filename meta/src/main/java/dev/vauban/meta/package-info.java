/**
 * Learning to learn from a few examples, also under attack: meta-learners as compositions of losses
 * and inner updates, the meta-step as one plan, and the evaluation protocol of the papers.
 */
package dev.vauban.meta;
