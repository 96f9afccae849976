/** Episodes, meta-learners and their evaluation. */
package dev.vauban.meta;
