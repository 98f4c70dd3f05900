//! Switches for an application that moves to this queue step by step; the core itself does not read them.

use serde::Serialize;

use crate::config::keys::section;
use crate::config::value::FLAG;

section! {
    /// Switches for an application that moves to this queue step by step; the core itself does not read them.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct FeatureFlags {
        /// Whether the application uses the queue at all.
        pub enabled: bool = false,
        "enabled": FLAG, "SYMPHONY_ENABLED";

        /// Whether e-mails go through the queue.
        pub email_queue: bool = false,
        "emailQueue": FLAG, "SYMPHONY_EMAIL_QUEUE_ENABLED";

        /// Whether campaigns are processed by the queue.
        pub campaign_processing: bool = false,
        "campaignProcessing": FLAG, "SYMPHONY_CAMPAIGN_PROCESSING_ENABLED";

        /// Whether SMS drips go through the queue.
        pub sms_drip: bool = false,
        "smsDrip": FLAG, "SYMPHONY_SMS_DRIP_ENABLED";
    }
}
