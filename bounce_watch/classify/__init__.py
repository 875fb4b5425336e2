"""Report to Bounces: cause, who must act, side, evidence tier."""
